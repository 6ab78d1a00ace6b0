//! Routes of users.

use roadstead_api::user::{
    UserChangePassword, UserCreate, UserDelete, UserList, UserShow, UserShowSelf, UserUpdate,
};

use super::routes::{Call, Routes};
use crate::ops::user;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user::<UserShowSelf, _, _>(|context, _| async move { user::show_self(&context) })
        .user(|context, call: Call<UserChangePassword>| async move {
            user::change_password(&context, call.body).await
        })
        .user(|context, call: Call<UserList>| async move { user::list(&context, call.query).await })
        .user(|context, call: Call<UserCreate>| async move { user::create(&context, call.body).await })
        .user(|context, call: Call<UserShow>| async move { user::show(&context, call.path).await })
        .user(|context, call: Call<UserUpdate>| async move { user::update(&context, call.path, call.body).await })
        .user(|context, call: Call<UserDelete>| async move { user::delete(&context, call.path).await })
}
