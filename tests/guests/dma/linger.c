/* The domain's last deed: transfers that outlive it, into pages that are its own when they begin.
 */
#include "console.h"
#include "engine.h"
#include "result.h"
#include "start.h"

static void linger(void)
{
    engine->linger();
}

/* Only with "die" on the command line; the other tests do not come then. */
TEST(transfers_that_outlive_their_domain)
{
    if (!start_option("die"))
        return;
    engine_each(linger);
    console_print("dma: dies\n");
    start_crash();
}
