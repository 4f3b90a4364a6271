//! For each medium, a model and what its scores are compared with.

use super::normal::Source;
use crate::cli::fault::Fault;
use surprisal::score::{
    Calibration, Detected, Fit, Medium, Method, Region, Scorer, Summary, Verdict, conformal, reason,
};

/// What examples of a medium are compared with.
pub enum Judge {
    /// Normal files.
    Calibrated(Box<Calibration>),
    /// One another.
    Alone(Box<Fit>),
}

impl Judge {
    /// What is to be said of an example: how odd it is, its p-value, and why, with the block that is named.
    pub fn judge(&self, summary: &Summary) -> (Detected, Option<f64>, (String, Option<Region>)) {
        match self {
            Self::Calibrated(calibration) => {
                let Verdict { detected, p_value, reason, place } = calibration.judge(summary);
                (detected, Some(p_value), (reason, place))
            }
            Self::Alone(fit) => (fit.detect(summary), None, reason(fit, summary)),
        }
    }
}

/// What scores and judges each of the media that can be scored.
pub struct Panel(pub Vec<(Scorer, Judge)>);

impl Panel {
    /// What judges a file.
    pub fn of(&self, file: &[u8], source: &Source) -> Result<&(Scorer, Judge), String> {
        let medium = Medium::of(file, source.reading).map_err(|fault| fault.to_string())?;
        let found = self.0.iter().find(|(scorer, _)| scorer.medium() == medium);
        found.ok_or_else(|| format!("there are no normal {medium} to compare it with"))
    }

    /// The calibrations.
    pub fn calibrations(&self) -> impl Iterator<Item = &Calibration> {
        self.0.iter().filter_map(|(_, judge)| match judge {
            Judge::Calibrated(calibration) => Some(&**calibration),
            Judge::Alone(_) => None,
        })
    }

    /// Refuses a false discovery rate that nothing could be flagged at.
    pub fn check(&self, rate: Option<f64>) -> Result<(), Fault> {
        let Some(q) = rate else { return Ok(()) };
        if self.calibrations().next().is_none() {
            return Err(Fault::Error("--self has no p-values, so --fdr means nothing: use --top K".to_owned()));
        }
        let needed = conformal::needed(q);
        if let Some(calibration) = self.calibrations().find(|c| c.scores() < needed) {
            let (given, medium) = (calibration.scores(), calibration.medium());
            let text =
                format!("p-values come from {given} normal {medium}, and at --fdr {q} at least {needed} are needed");
            let remedy = match calibration.method() {
                Method::Split => format!("give {} in all, or a larger --fdr, or --cross", 2 * needed),
                Method::Cross => "give more, or a larger --fdr".to_owned(),
            };
            return Err(Fault::Error(format!("{text}: {remedy}")));
        }
        Ok(())
    }
}
