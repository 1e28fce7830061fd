/* A disk with a volatile write cache, which does commands in any order. */

/* What half a write leaves behind. */
#define TORN 99

byte cached[SECTORS];  /* what a read returns */
byte durable[SECTORS]; /* what a power failure leaves */

#define GIVEN    1
#define FINISHED 2

typedef command {
    byte state; /* 0: none */
    byte op;
    byte sector;
    byte page
};

/* By job; without a reset those of the last life are still there. */
#if MUTANT == NO_RESET
#define COMMANDS (SLOTS * 2)
#else
#define COMMANDS SLOTS
#endif
command disk[COMMANDS];

inline finish(n)
{
    disk[n].state = FINISHED;
    back_pending = back_pending || bound
}

/* Data comes from the guest's page at this moment, or goes there. */
inline execute(n)
{
    if
    :: disk[n].op == WRITE -> cached[disk[n].sector] = page[disk[n].page]
    :: disk[n].op == READ -> page[disk[n].page] = cached[disk[n].sector]
    :: else -> /* FLUSH */
        for (j : 0 .. SECTORS - 1) {
            durable[j] = cached[j]
        }
        j = 0
    fi;
    finish(n)
}

inline execute_half(n)
{
    if
    :: disk[n].op == WRITE -> cached[disk[n].sector] = TORN
    :: else -> page[disk[n].page] = TORN
    fi;
    finish(n)
}

/* The core has taken the page from the device, as the domain died. */
#define IS_FENCED(n) (disk[n].op != FLUSH && !mapped[disk[n].page])

#define COMMAND(n) \
    :: d_step { disk[n].state == GIVEN -> execute(n) } \
    :: d_step { disk[n].state == GIVEN && IS_FENCED(n) -> execute_half(n) }

/*
 * Commands are done in any order. What the device still has of a dead domain it
 * does, if it had fetched the data, or does by half.
 */
active proctype device()
{
    byte j;

end_idle:
    do
    COMMAND(0)
    COMMAND(1)
#if COMMANDS > 2
    COMMAND(2)
    COMMAND(3)
#endif
#if COMMANDS > 4
    COMMAND(4)
    COMMAND(5)
    COMMAND(6)
    COMMAND(7)
#endif
    od
}
