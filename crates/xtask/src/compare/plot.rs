//! Pictures of the tables: a panel for each cell, a bar for each server, the floor's share as a line.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use super::peers::OURS;
use super::results::{Results, Row};
use crate::Fallible;
use crate::repository::Repository;

const PANEL: (u32, u32) = (320, 220);

/// Draws one file for echo and one for fan-out. Returns how many.
pub(super) fn draw(repository: &Repository, results: &Results) -> Fallible<usize> {
    let folder = repository.root.join("docs/benchmarks");
    std::fs::create_dir_all(&folder)?;
    for (fan_out, name) in [(false, "echo.svg"), (true, "fan-out.svg")] {
        let rows: Vec<&Row> = results.rows.iter().filter(|row| row.cell.fan_out == fan_out).collect();
        panels(&folder.join(name), &rows).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(2)
}

fn panels(file: &Path, rows: &[&Row]) -> Result<(), Box<dyn Error>> {
    let columns = rows.len().clamp(1, 3);
    let lines = rows.len().div_ceil(columns);
    let size = (PANEL.0 * columns as u32, PANEL.1 * lines as u32);
    let area = SVGBackend::new(file, size).into_drawing_area();
    area.fill(&WHITE)?;
    for (panel, row) in area.split_evenly((lines, columns)).iter().zip(rows) {
        bars(panel, row)?;
    }
    area.present()?;
    Ok(())
}

type Part<'a, 'b> = DrawingArea<SVGBackend<'b>, plotters::coord::Shift>;

fn bars(panel: &Part<'_, '_>, row: &Row) -> Result<(), Box<dyn Error>> {
    let mut shares: Vec<_> = row.shares.iter().collect();
    shares.sort_by(|a, b| a.1.median.total_cmp(&b.1.median));
    let count = shares.len() as f64;
    let most = shares.iter().map(|(_, spread)| spread.max).fold(1.05, f64::max);
    let mut chart = ChartBuilder::on(panel)
        .caption(row.cell.to_string(), ("sans-serif", 14))
        .margin(8)
        .margin_left(110)
        .x_label_area_size(20)
        .build_cartesian_2d(0.0..most, 0.0..count)?;
    chart.configure_mesh().disable_y_mesh().y_labels(0).x_labels(6).light_line_style(TRANSPARENT).draw()?;
    let own = RGBColor(0x1f, 0x6f, 0xeb);
    let other = RGBColor(0xb8, 0xc0, 0xcc);
    for (at, (name, spread)) in shares.iter().enumerate() {
        let colour = if name == OURS { own } else { other };
        let (low, high) = (at as f64 + 0.15, at as f64 + 0.85);
        chart.draw_series([Rectangle::new([(0.0, low), (spread.median, high)], colour.filled())])?;
        let middle = at as f64 + 0.5;
        let range = [(spread.quartiles[0], middle), (spread.quartiles[1], middle)];
        chart.draw_series([PathElement::new(range, BLACK.stroke_width(1))])?;
        let (x, y) = chart.backend_coord(&(0.0, middle));
        let (left, top) = panel.get_base_pixel();
        let style = ("sans-serif", 11).into_text_style(panel).pos(plotters::style::text_anchor::Pos::new(
            plotters::style::text_anchor::HPos::Right,
            plotters::style::text_anchor::VPos::Center,
        ));
        panel.draw_text(name, &style, (x - left - 5, y - top))?;
    }
    chart.draw_series([PathElement::new([(1.0, 0.0), (1.0, count)], RED.stroke_width(1))])?;
    Ok(())
}
