//! The promises of a schedule: by chance over whole runs, and scenario by scenario for each half.

mod ledger;
mod local;
mod plan;
mod properties;
