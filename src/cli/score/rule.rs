//! What is flagged.

use surprisal::score::conformal;

/// The rule by which files are flagged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Discoveries at this false discovery rate; with Storey's estimate of how many files are normal, if it is asked for.
    Rate {
        /// The rate.
        q: f64,
        /// Whether to estimate.
        storey: bool,
    },
    /// The oddest.
    Top(usize),
    /// p-values up to this.
    P(f64),
}

impl Rule {
    /// Which of some scores and p-values are flagged. What has no p-value is as good as normal.
    pub fn flags(self, results: &[(f64, Option<f64>)]) -> Vec<bool> {
        match self {
            Self::Rate { q, storey } => {
                let p: Vec<f64> = results.iter().map(|(_, p)| p.unwrap_or(1.0)).collect();
                let share = if storey { conformal::normal_share(&p) } else { 1.0 };
                conformal::discoveries(&p, (q / share).min(1.0))
            }
            Self::P(most) => results.iter().map(|(_, p)| p.is_some_and(|p| p <= most)).collect(),
            Self::Top(count) => {
                let mut order: Vec<usize> = (0..results.len()).collect();
                order.sort_by(|a, b| results[*b].0.total_cmp(&results[*a].0));
                let mut flags = vec![false; order.len()];
                order.iter().take(count).for_each(|i| flags[*i] = true);
                flags
            }
        }
    }

    /// The false discovery rate, if that is the rule.
    pub fn rate(self) -> Option<f64> {
        match self {
            Self::Rate { q, .. } => Some(q),
            _ => None,
        }
    }

    /// In words.
    pub fn words(self) -> String {
        match self {
            Self::Rate { q, storey: false } => format!("false discovery rate {q} (Benjamini and Hochberg 1995)"),
            Self::Rate { q, storey: true } => format!("false discovery rate {q} (Storey 2002)"),
            Self::Top(count) => format!("the {count} oddest"),
            Self::P(p) => format!("p-values up to {p}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_flag_by_scores_or_p_values() {
        let results: Vec<_> = (0..10).map(|i| (f64::from(i), Some(f64::from(10 - i) * 0.02))).collect();
        let count = |rule: Rule| rule.flags(&results).iter().filter(|f| **f).count();
        assert_eq!((count(Rule::Top(3)), count(Rule::P(0.05)), count(Rule::Top(30))), (3, 2, 10));
        assert_eq!(count(Rule::Rate { q: 0.1, storey: false }), 0);
        // All p-values are below a half: one in five is normal at most.
        assert_eq!(count(Rule::Rate { q: 0.1, storey: true }), 10);
        assert_eq!(Rule::P(0.1).flags(&[(9.0, None)]), [false]);
    }
}
