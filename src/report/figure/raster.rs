//! The PNG of a figure: its own SVG rendered, so that the two cannot differ, with the fonts that the program brings.

use std::fmt::Display;
use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Source};
use resvg::usvg::{Options, Tree};

use super::super::ReportError;
use super::canvas::FAMILY;

/// Pixels per design unit, of which two are a point in print: 288 dots per inch.
const SCALE: f32 = 2.0;
const DOTS_PER_METRE: u32 = (SCALE as f64 * 144.0 / 0.0254) as u32;

/// Renders a drawing on its opaque ground as an encoded PNG of [`SCALE`] pixels per design unit.
pub(super) fn png(svg: &str) -> Result<Vec<u8>, ReportError> {
    let options = Options { fontdb: fonts(), font_family: FAMILY.to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(failed)?;
    let pixels = |units: f32| (units * SCALE) as u32;
    let (columns, rows) = (pixels(tree.size().width()), pixels(tree.size().height()));
    let mut picture = Pixmap::new(columns, rows).ok_or_else(|| failed("a figure without extent"))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut picture.as_mut());
    let opaque: Vec<u8> =
        picture.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();

    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, columns, rows);
    encoder.set_color(png::ColorType::Rgb);
    // Half as large would take five times as long, a tenth of a second for a large map.
    encoder.set_compression(png::Compression::Fast);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: DOTS_PER_METRE,
        yppu: DOTS_PER_METRE,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&opaque).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(file)
}

/// The program's own fonts and no others: a picture does not depend on what a machine has installed.
fn fonts() -> Arc<Database> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    let load = || {
        let mut fonts = Database::new();
        for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
            fonts.load_font_source(Source::Binary(Arc::new(font)));
        }
        Arc::new(fonts)
    };
    FONTS.get_or_init(load).clone()
}

fn failed(error: impl Display) -> ReportError {
    ReportError::Drawing(error.to_string())
}
