"""Members: users within a tenant, with roles, teams and invitations."""
