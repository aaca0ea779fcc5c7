//! What a script catches: `e.code`, `e.message`, `e.status`, `e.request_id`, `e.hint`, `e.line`.

use std::fmt;

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};
use serde::{Deserialize, Serialize};

use crate::error::{Exit, Fault};
use crate::graph::GraphError;

/// The result of a function that scripts call.
pub(crate) type Raised<T> = Result<T, Box<EvalAltResult>>;

/// An error of a host function, on its way into a script or out of it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Graph's code exactly as published, or ours.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) status: Option<u16>,
    pub(crate) request_id: Option<String>,
    pub(crate) hint: Option<String>,
    pub(crate) line: Option<usize>,
    /// Further facts, one a line, for a person only.
    pub(crate) context: Vec<String>,
    /// File and position where it was raised first: kept when a script throws it again.
    pub(crate) origin: Option<(String, Position)>,
    /// What the process exits with for this alone.
    pub(crate) exit: Exit,
    /// The run is being stopped: not for scripts to catch.
    pub(crate) stopped: bool,
}

impl Failure {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            status: None,
            request_id: None,
            hint: None,
            line: None,
            context: Vec::new(),
            origin: None,
            exit: Exit::Unstarted,
            stopped: false,
        }
    }

    /// The run's stop flag is set: whatever this was about is not done.
    pub(crate) fn stopped() -> Self {
        Self {
            stopped: true,
            ..Self::new("Stopped", "the run is being stopped")
        }
    }

    /// Several hints stand one a line.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.hint = Some(
            self.hint
                .map_or(hint.clone(), |old| format!("{old}\n{hint}")),
        );
        self
    }

    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    pub(crate) fn or_line(mut self, line: Option<usize>) -> Self {
        self.line = self.line.or(line);
        self
    }

    #[allow(clippy::unnecessary_box_returns)] // the engine's own error type is boxed
    /// Throws it at the place of the call; what the function given to the library returns as `Err`.
    pub(crate) fn raise(mut self, ctx: &NativeCallContext) -> Box<EvalAltResult> {
        let position = ctx.call_position();
        if !position.is_none() && self.origin.is_none() {
            self.origin = Some((ctx.call_source().unwrap_or_default().to_owned(), position));
            self.line = position.line();
        }
        self.thrown(position)
    }

    #[allow(clippy::unnecessary_box_returns)]
    /// Throws it without a place of its own; the engine puts one on it.
    pub(crate) fn unplaced(self) -> Box<EvalAltResult> {
        self.thrown(Position::NONE)
    }

    #[allow(clippy::unnecessary_box_returns)]
    fn thrown(self, position: Position) -> Box<EvalAltResult> {
        Box::new(if self.stopped {
            EvalAltResult::ErrorTerminated(Dynamic::UNIT, position)
        } else {
            EvalAltResult::ErrorRuntime(Dynamic::from(self), position)
        })
    }

    /// As a person is told it; the place and the call chain are added by who knows them.
    pub(crate) fn fault(self) -> Fault {
        let mut fault = Fault::new(self.exit, self.code, self.message);
        fault.status = self.status;
        fault.request_id = self.request_id;
        fault.context = self.context;
        fault.hints = self
            .hint
            .iter()
            .flat_map(|hint| hint.lines())
            .map(str::to_owned)
            .collect();
        fault
    }

    /// As the record keeps it.
    pub(crate) fn kept(&self) -> Kept {
        Kept {
            code: self.code.clone(),
            message: self.message.clone(),
            status: self.status,
            request_id: self.request_id.clone(),
            hint: self.hint.clone(),
            line: self.line,
            context: self.context.clone(),
            exit: self.exit.code(),
        }
    }

    /// An error out of the record.
    pub(crate) fn again(kept: Kept) -> Self {
        Self {
            status: kept.status,
            request_id: kept.request_id,
            hint: kept.hint,
            line: kept.line,
            context: kept.context,
            exit: Exit::of_code(kept.exit).unwrap_or(Exit::Unstarted),
            ..Self::new(kept.code, kept.message)
        }
    }

    /// `#{code, message, …}` as JSON, for records and `json::text`.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "code": self.code,
            "message": self.message,
            "status": self.status,
            "request_id": self.request_id,
            "hint": self.hint,
            "line": self.line,
        })
    }
}

/// What the record keeps of an error: all but the place, which the script has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    code: String,
    message: String,
    status: Option<u16>,
    request_id: Option<String>,
    hint: Option<String>,
    line: Option<usize>,
    context: Vec<String>,
    exit: u8,
}

impl From<GraphError> for Failure {
    fn from(error: GraphError) -> Self {
        let mut failure = Self::from(Fault::from(&error));
        failure.stopped = matches!(error, GraphError::Stopped { .. });
        // The other errors name their call there, and a script's line says that better.
        if let GraphError::SignIn { context, .. } = error {
            failure.context = context;
        }
        failure
    }
}

/// A fault that a script may catch after all (a denial that is final goes through `Stop` instead).
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let mut failure = Self::new(fault.code, fault.message).exit(fault.exit);
        failure.status = fault.status;
        failure.request_id = fault.request_id;
        failure.hint = (!fault.hints.is_empty()).then(|| fault.hints.join("\n"));
        failure
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.code.is_empty() && !self.message.contains(&self.code) {
            write!(f, " ({})", self.code)?;
        }
        Ok(())
    }
}

/// For `?` in functions that scripts call.
pub(crate) trait Raise<T> {
    fn raise(self, ctx: &NativeCallContext) -> Raised<T>;
}

impl<T, E: Into<Failure>> Raise<T> for Result<T, E> {
    fn raise(self, ctx: &NativeCallContext) -> Raised<T> {
        self.map_err(|error| error.into().raise(ctx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_error_keeps_code_status_and_request_id() {
        let call = crate::graph::CallName {
            operation: "list users",
            method: "GET".into(),
            path: "/users".into(),
            client_request_id: "c".into(),
        };
        let error = crate::graph::ServiceError {
            status: 403,
            code: "Forbidden".into(),
            message: "no".into(),
            details: "".into(),
            request_id: "r".into(),
        };
        let failure = Failure::from(GraphError::Refused {
            call: call.clone(),
            error,
        });
        assert_eq!(
            (
                failure.code.as_str(),
                failure.status,
                failure.request_id.as_deref()
            ),
            ("Forbidden", Some(403), Some("r"))
        );
        assert_eq!(failure.exit, Exit::SignIn);
        assert!(Failure::from(GraphError::Stopped { call }).stopped);
    }
}
