//! Routes of sizes.

use roadstead_api::size::SizeList;

use super::routes::{Call, Routes};
use crate::ops::size;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes.user(
        |context, call: Call<SizeList>| async move { size::list(&context, &call.path, call.query).await },
    )
}
