//! One file per API or close family; the table of APIs.
