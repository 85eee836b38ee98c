//! Commands about archives of images.

mod import;
pub mod load;
pub mod save;
pub mod transport;

pub use import::Import;
pub use load::Load;
pub use save::Save;
