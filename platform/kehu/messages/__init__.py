"""Messages to customers: texts that a firm may change, sent by a job through the gate, kept with the person."""
