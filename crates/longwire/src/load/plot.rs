//! Two pictures in one file: throughput and latency over time, and latency by percentile.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use super::tally::Tally;

/// Draws into an SVG file.
pub(super) fn draw(file: &Path, title: &str, tally: &Tally) -> Result<(), String> {
    pictures(file, title, tally).map_err(|error| format!("{}: {error}", file.display()))
}

fn pictures(file: &Path, title: &str, tally: &Tally) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, (960, 900)).into_drawing_area();
    area.fill(&WHITE)?;
    let parts = area.titled(title, ("sans-serif", 18))?.split_evenly((3, 1));
    let seconds = tally.slice as f64 / 1e9;
    let all = seconds * tally.slices.len() as f64;
    let over_time = |value: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
        (0..tally.slices.len()).map(|at| ((at as f64 + 0.5) * seconds, value(at))).collect()
    };
    let at = |slice: usize, quantile: f64| tally.slices[slice].value_at_quantile(quantile) as f64 / 1e6;

    let rate = over_time(&|slice| tally.slices[slice].len() as f64 / seconds);
    lines(&parts[0], "messages a second, over time (s)", all, &[("messages/s", rate)])?;
    let latencies = [
        ("p50", over_time(&|slice| at(slice, 0.5))),
        ("p99", over_time(&|slice| at(slice, 0.99))),
        ("max", over_time(&|slice| tally.slices[slice].max() as f64 / 1e6)),
    ];
    lines(&parts[1], "latency (ms), over time (s)", all, &latencies)?;
    // So many nines: 1 is p90, 2 is p99.
    let nines: Vec<(f64, f64)> = (0..=50)
        .map(|tenth| {
            let nines = f64::from(tenth) / 10.0;
            (nines, tally.latencies.value_at_quantile(1.0 - 10_f64.powf(-nines)) as f64 / 1e6)
        })
        .collect();
    lines(&parts[2], "latency (ms), by nines: 1 is p90, 2 is p99, 3 is p99.9", 5.0, &[("latency", nines)])?;
    area.present()?;
    Ok(())
}

type Part<'a, 'b> = DrawingArea<SVGBackend<'b>, plotters::coord::Shift>;

fn lines(
    part: &Part<'_, '_>,
    caption: &str,
    width: f64,
    series: &[(&str, Vec<(f64, f64)>)],
) -> Result<(), Box<dyn Error>> {
    let highest = series.iter().flat_map(|(_, points)| points).map(|point| point.1).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(part)
        .caption(caption, ("sans-serif", 14))
        .margin(10)
        .x_label_area_size(25)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..width, 0.0..highest.max(1e-3) * 1.1)?;
    chart.configure_mesh().light_line_style(TRANSPARENT).draw()?;
    for (number, (name, points)) in series.iter().enumerate() {
        let colour = Palette99::pick(number).to_rgba();
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], colour.stroke_width(2)));
    }
    if series.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(TRANSPARENT)
            .draw()?;
    }
    Ok(())
}
