//! Runs: started when the entry that allows them is durable, stopped when the ledger says so, and put on
//! record when they are over.
