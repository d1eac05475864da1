//! The promises of a schedule: by chance over whole runs, and scenario by scenario for each half.

mod join;
mod local;
mod loss;
mod nonsense;
mod page;
mod plan;
mod properties;
