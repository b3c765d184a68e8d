//! The rounds as pictures over time: memory, descriptors and latency, while guests are there and at rest.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use super::round::Round;
use crate::Fallible;

type Of = fn(&Round) -> f64;

const PANELS: [(&str, [(&str, Of); 2]); 3] = [
    (
        "resident memory, MiB",
        [
            ("at most", |round| round.peak.resident as f64 / 1024.0),
            ("at rest", |round| round.rest.resident as f64 / 1024.0),
        ],
    ),
    (
        "descriptors",
        [("at most", |round| round.peak.descriptors as f64), ("at rest", |round| round.rest.descriptors as f64)],
    ),
    ("latency of the steady echoes, ms", [("p99", |round| round.p99), ("p50", |round| round.p50)]),
];

pub(super) fn draw(file: &Path, rounds: &[Round]) -> Fallible<()> {
    panels(file, rounds).map_err(|error| format!("{}: {error}", file.display()).into())
}

fn panels(file: &Path, rounds: &[Round]) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, (960, 720)).into_drawing_area();
    area.fill(&WHITE)?;
    let minutes = rounds.last().map_or(1.0, |round| round.minute);
    for (panel, (caption, series)) in area.split_evenly((PANELS.len(), 1)).iter().zip(PANELS) {
        let points = |of: Of| rounds.iter().map(move |round| (round.minute, of(round)));
        let most = series.iter().flat_map(|(_, of)| points(*of)).map(|(_, value)| value).fold(1e-3, f64::max);
        let mut chart = ChartBuilder::on(panel)
            .caption(caption, ("sans-serif", 14))
            .margin(10)
            .x_label_area_size(25)
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..minutes, 0.0..most * 1.1)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_label_formatter(&|minute| format!("{minute:.0} min"))
            .draw()?;
        for (number, (name, of)) in series.into_iter().enumerate() {
            let colour = Palette99::pick(number).to_rgba();
            chart
                .draw_series(LineSeries::new(points(of), colour.stroke_width(2)))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(TRANSPARENT)
            .draw()?;
    }
    area.present()?;
    Ok(())
}
