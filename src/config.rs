//! Every configuration key with type, default, doc and scope in one table.
