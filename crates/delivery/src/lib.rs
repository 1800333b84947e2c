//! The sending role: schedule, connect, attempt, diagnose, decide, record.
