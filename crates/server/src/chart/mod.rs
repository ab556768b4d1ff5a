//! Drawings of flows: as Mermaid text, and as an SVG that needs nothing else.

mod layout;
mod mermaid;
mod svg;
mod words;

pub use mermaid::mermaid;
pub use svg::svg;
