//! Routes of users.

use roadstead_api::user::UserShowSelf;

use super::routes::Routes;
use crate::ops::user;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes.user::<UserShowSelf, _, _>(|context, _| async move { user::show_self(&context) })
}
