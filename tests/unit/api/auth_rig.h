/* The ways in, for tests of handlers: those of the engine under test. */
#ifndef TEST_AUTH_RIG_H
#define TEST_AUTH_RIG_H

#include "api/app.h"
#include "auth/auth.h"

/* With the engine `rig`; what was opened for an earlier one is closed. */
static void
auth_rig_open(struct app *app)
{
    const struct auth_config c = {
        .store = engine_store(rig),
        .loop = engine_loop(rig),
        .data_dir = rig_dir,
        .threads = 4,
    };

    auth_close(app->auth);
    assert_int_equal(auth_open(&app->auth, &c), OK);
}

static void
auth_rig_close(struct app *app)
{
    auth_close(app->auth);
    app->auth = NULL;
}

#endif
