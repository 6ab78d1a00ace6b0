//! How a run stands and how it ended, in the service's words.

use roadstead_api::run::{RunError, RunState};
use serde_json::{Value, json};

/// The service's word for a state.
pub fn state_word(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "Queued",
        RunState::StartRequested => "StartRequested",
        RunState::Searching => "Preparing",
        RunState::InProgress => "InProgress",
        RunState::StopRequested => "StopRequested",
        RunState::Completed => "Completed",
        RunState::CompletedWithErrors => "CompletedWithErrors",
        RunState::Failed => "Failed",
        RunState::Cancelled => "Stopped",
        RunState::Missed => "Missed",
        RunState::Skipped => "Skipped",
    }
}

/// The service's number for a state; 0 is one that was made and not started.
pub fn state_number(latest: Option<RunState>) -> i64 {
    match latest {
        None => 0,
        Some(RunState::Queued) => 1,
        Some(RunState::InProgress) => 2,
        Some(RunState::Completed) => 3,
        Some(RunState::Cancelled | RunState::Missed | RunState::Skipped) => 4,
        Some(RunState::Failed) => 5,
        Some(RunState::StartRequested) => 6,
        Some(RunState::StopRequested) => 7,
        Some(RunState::CompletedWithErrors) => 8,
        Some(RunState::Searching) => 9,
    }
}

/// What a run that has ended says of itself, in two texts that monitoring scripts look at.
pub fn outcome(state: RunState, error: Option<&str>) -> (String, String) {
    match state {
        RunState::Completed => ("Success".to_owned(), "No errors".to_owned()),
        RunState::CompletedWithErrors => {
            ("UnableToProcessSomeFiles".to_owned(), "Completed With Errors".to_owned())
        }
        _ => {
            let why = error.unwrap_or("Failed").to_owned();
            (why.clone(), why)
        }
    }
}

/// Errors of single files.
pub fn errors(report: i64, errors: &[RunError]) -> Value {
    let told = |(index, error): (usize, &RunError)| {
        json!({
            "BackupReportID": report,
            "ListIndex": index,
            "ErrorType": 101,
            "ErrorDesc": error.reason,
            "ExceptionDesc": error.reason,
            "ExceptionDetails": error.details,
            "ExceptionCode": error.code,
            "Path": error.path,
        })
    };
    Value::Array(errors.iter().enumerate().map(told).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restores_have_the_numbers_of_the_service() {
        let states = [
            RunState::Queued,
            RunState::InProgress,
            RunState::Completed,
            RunState::Cancelled,
            RunState::Failed,
            RunState::StartRequested,
            RunState::StopRequested,
            RunState::CompletedWithErrors,
            RunState::Searching,
        ];
        let numbers: Vec<_> = states.into_iter().map(|state| state_number(Some(state))).collect();
        assert_eq!((state_number(None), numbers), (0, (1..=9).collect()));
    }
}
