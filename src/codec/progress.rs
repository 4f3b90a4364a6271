//! How a caller hears how far the work is.

/// Hears about the progress of one file; called from several threads.
pub trait Progress: Sync {
    /// Work of `total` units (bytes to code or decode) is added to what there is to do.
    fn begin(&self, total: u64) {
        let _ = total;
    }
    /// `units` more of it are done.
    fn advance(&self, units: u64) {
        let _ = units;
    }
}

/// Nobody listens.
impl Progress for () {}
