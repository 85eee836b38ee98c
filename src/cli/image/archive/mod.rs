//! Commands about archives of images.

mod load;
mod save;

pub use load::Load;
pub use save::Save;
