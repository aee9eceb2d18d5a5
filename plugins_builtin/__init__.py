"""Modules that come with Kehu; they import nothing but `kehu.api`."""
