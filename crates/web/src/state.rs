//! What every handler gets.

use std::ops::Deref;
use std::sync::Arc;

use vestibule_service::env::Site;

use crate::page::Pages;

/// The whole of the web layer's state.
pub struct App {
    pub site: Arc<Site>,
    pub pages: Arc<Pages>,
    /// Present on a development server only.
    pub dev: Option<DevInbox>,
}

/// The inbox of a development server is shown under `/dev`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DevInbox {}

/// The state that the router carries.
#[derive(Clone)]
pub struct AppState(Arc<App>);

impl AppState {
    /// Wraps an app.
    pub fn new(app: App) -> Self {
        Self(Arc::new(app))
    }
}

impl Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}
