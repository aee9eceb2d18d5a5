"""Surveys: questions, invitations through the send gate, one signed answer each, figures that hide small groups."""
