"""Activities: calls, mails, visits, meetings, tasks and notes, planned or done."""
