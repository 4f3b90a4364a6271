//! `surprisal info`

use super::archive::{self, list::list};
use super::fault::{Exit, Fault};
use super::inputs::{self, Folders};
use super::options::{Global, LimitOptions, ModelOptions};
use super::report;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use surprisal::codec::{self, Coding, Inspection};
use surprisal::container::{Content, Role};
use surprisal::media::audio::SampleFormat;
use surprisal::media::image::lattice::Transform;

/// Show what .srp streams hold, without decoding them
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Streams or archives, or - for standard input
    #[arg(required = true, value_name = "FILE.srp")]
    files: Vec<PathBuf>,
    /// Print one line of JSON a file
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    models: ModelOptions,
    #[command(flatten)]
    limit: LimitOptions,
}

/// Shows every header.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let (inputs, worst) = inputs::gather(&args.files, Folders::Refuse("name the streams in it"), global.quiet);
    let models = args.models.models(global)?;
    let done = report::each(inputs, |input| {
        let name = input.name();
        if let Some(path) = input.path().filter(|path| archive::is_archive(path)) {
            return report::line(list(path, args.limit.bytes(), args.json)?);
        }
        let stream = input.read(true)?;
        let seen = codec::inspect(&stream, &models).map_err(|e| Fault::from(e).about(&name))?;
        if args.json {
            report::line(record(&name, stream.len(), &seen))
        } else {
            report::line(text(&name, stream.len(), &seen))
        }
    })?;
    Ok(worst.max(done))
}

const CODINGS: [Coding; 4] = [Coding::Stored, Coding::Bytes, Coding::Network, Coding::Samples];

/// Number of chunks of a role and coding, their bytes, and the bytes that they decode to.
fn totals(seen: &Inspection, role: Role, coding: Coding) -> (usize, u64, u64) {
    let chunks = seen.header.chunks.iter().filter(|c| c.role == role && c.coding == coding);
    chunks.fold((0, 0, 0), |(n, coded, decoded), c| (n + 1, coded + c.coded, decoded + c.decoded))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn content(seen: &Inspection) -> (&'static str, Option<(u32, u32, u8)>) {
    match seen.header.content {
        Content::Bytes(hint) if hint.record == 0 => ("bytes", None),
        Content::Bytes(_) => ("rows", None),
        Content::Bands { width, height, channels } => ("picture in bands", Some((width, height, channels))),
        Content::Rows { width, height, channels } => ("picture in rows", Some((width, height, channels))),
        Content::Planes { width, height, .. } => ("planes in bands", Some((width, height, 3))),
        Content::Alpha { width, height, channels } => ("picture in bands, and alpha", Some((width, height, channels))),
        Content::Raster { width, height, channels: 0 } => ("rows of bits", Some((width.saturating_mul(8), height, 1))),
        Content::Raster { width, height, channels } => ("rows of 16-bit samples", Some((width, height, channels))),
        Content::Set { .. } => ("set of examples", None),
        Content::Sound { .. } => ("sound", None),
    }
}

/// Frames a second, channels and format.
fn sound(seen: &Inspection) -> Option<(u32, u8, SampleFormat)> {
    match seen.header.content {
        Content::Sound { rate, channels, format, .. } => Some((rate, channels, format)),
        _ => None,
    }
}

/// Name of the transform from planes.
fn transform(seen: &Inspection) -> Option<&'static str> {
    match seen.header.content {
        Content::Planes { transform, .. } => Transform::from_id(transform).map(|transform| transform.name),
        _ => None,
    }
}

fn record(name: &str, length: usize, seen: &Inspection) -> Value {
    let header = &seen.header;
    let (kind, shape) = content(seen);
    let group = |role| {
        let groups = CODINGS.iter().map(|&coding| (coding, totals(seen, role, coding))).filter(|(_, (n, ..))| *n > 0);
        let group = |(coding, (n, coded, decoded)): (Coding, (usize, u64, u64))| json!({"coding": coding.name(), "chunks": n, "coded_bytes": coded, "bytes": decoded});
        groups.map(group).collect::<Vec<_>>()
    };
    json!({
        "file": name,
        "format": format!("{}.{}", seen.version[0], seen.version[1]),
        "coded_bytes": length,
        "bytes": header.length,
        "blake3_128": hex(&header.checksum),
        "header_bytes": seen.overhead,
        "medium": header.medium.map(|m| json!({"id": m.id, "version": m.version, "name": seen.medium})),
        "model": seen.model.as_ref().map(|(id, name)| json!({"id": id.to_string(), "name": name})),
        "parts": header.parts.iter().map(|p| json!({"name": p.name, "version": p.version})).collect::<Vec<_>>(),
        "content": kind,
        "width": shape.map(|s| s.0),
        "height": shape.map(|s| s.1),
        "channels": shape.map(|s| s.2).or(sound(seen).map(|s| s.1)),
        "symbols": header.samples(),
        "rate": sound(seen).map(|s| s.0),
        "sample_format": sound(seen).map(|s| s.2.name()),
        "content_chunks": group(Role::Content),
        "recipe_chunks": group(Role::Recipe),
        "transform": transform(seen),
        "beside_chunks": group(Role::Beside),
        "adaptation_bytes": header.adaptation().map(|(_, chunk)| chunk.coded),
        "compressed_already": seen.packed,
        "memory": header.memory(),
        "unsupported": seen.unsupported.as_ref().map(ToString::to_string),
    })
}

fn text(name: &str, length: usize, seen: &Inspection) -> String {
    let header = &seen.header;
    let mut out = format!("{name}\n");
    let mut row = |key: &str, value: String| {
        let _ = writeln!(out, "  {key:<10} {value}");
    };
    row("format", format!("{}.{}", seen.version[0], seen.version[1]));
    row("file", format!("{} bytes, BLAKE3-128 {}", header.length, hex(&header.checksum)));
    row(
        "stream",
        format!("{length} bytes ({}), {} of them header", report::percent(length as u64, header.length), seen.overhead),
    );
    if let Some(medium) = header.medium {
        row(
            "medium",
            format!("{} (number {}, version {})", seen.medium.unwrap_or("unknown"), medium.id, medium.version),
        );
    }
    if let Some((id, name)) = &seen.model {
        row("model", format!("{} {id}", name.as_deref().unwrap_or("(not found)")));
    }
    let parts: Vec<String> = header.parts.iter().map(|p| format!("{} {}", p.name, p.version)).collect();
    if !parts.is_empty() {
        row("parts", parts.join(", "));
    }
    let (kind, shape) = content(seen);
    let shape = shape.map(|(w, h, c)| format!(", {w} x {h}, {c} channels")).unwrap_or_default();
    let shape = match header.content {
        Content::Set { symbols, lanes, .. } => format!(", {symbols} symbols, {lanes} examples side by side"),
        Content::Sound { rate, segment, channels, format } => {
            let frames = header.samples().unwrap_or_default() / u64::from(channels);
            format!(", {frames} frames at {rate} Hz, {channels} channels, {}, in segments of {segment}", format.name())
        }
        Content::Planes { .. } => {
            format!("{shape}, colours made by {}", transform(seen).unwrap_or("an unknown transform"))
        }
        _ => shape,
    };
    row("content", format!("{kind}{shape}"));
    for (role, key) in
        [(Role::Adaptation, "adaptation"), (Role::Beside, "beside"), (Role::Content, ""), (Role::Recipe, "recipe")]
    {
        for coding in CODINGS {
            let (n, coded, decoded) = totals(seen, role, coding);
            if n > 0 {
                row(key, format!("{n} chunks {}: {coded} of {decoded} bytes", coding.name()));
            }
        }
    }
    if let Some(name) = seen.packed {
        row("because", format!("{name} is compressed already"));
    }
    row("memory", format!("{} bytes to decode", header.memory()));
    if let Some(fault) = &seen.unsupported {
        row("but", fault.to_string());
    }
    out.pop();
    out
}
