/*
 * Block rings: a stock front end, a disk with a volatile write cache, and a back
 * end that may die between any two of its steps and is followed by another that
 * adopts the ring. Each step names, in brackets, the function it stands for; the
 * mutants at the top each break one rule, and spin must find an error in each.
 *
 * A guest's pages, requests and ids have the same number. Stores come in order
 * and are seen at once: what the full barriers of libs/shm are for is a mutant.
 */

/* ---- what is tried: model.py sets these ------------------------------------------------------ */

#ifndef SLOTS
#define SLOTS 2 /* of the ring */
#endif
#ifndef JOBS
#define JOBS SLOTS /* requests worked on at a time (BLK_JOBS_MAX); the others wait in the ring */
#endif
#ifndef REQUESTS
#define REQUESTS 3 /* that the guest makes in all */
#endif
#ifndef SECTORS
#define SECTORS 1
#endif
#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef PERSISTENT
#define PERSISTENT 0 /* grants stay mapped */
#endif
#ifndef MUTANT
#define MUTANT NONE
#endif

#define NONE           0
#define TAG_FIRST      1  /* the record is called valid before it is written */
#define NO_RECORD      2  /* a successor takes no notice of the record */
#define ANY_RECORD     3  /* a successor believes a record that names another index */
#define RECORD_LATE    4  /* the answer is written before its record */
#define INDEX_FIRST    5  /* the index is published before the answer is written */
#define BODIES_BATCHED 6  /* several answers are written before their one index */
#define ANY_ORDER      7  /* what is done first is answered first */
#define NO_RESET       8  /* requests are replayed while the device has the last life's commands */
#define UNMAPPED_LATE  9  /* grants are given back after the answer */
#define FLUSH_AT_ONCE  10 /* a flush does not wait for the writes before it */
#define NO_LAST_LOOK   11 /* the back end asks for an event and sleeps, without looking again */
#define NO_BARRIER     12 /* what the front end waits for is read before the index is stored */
#define NO_EVENT       13 /* a successor does not tell the front end */
#define EVENT_KEPT     14 /* the back end sleeps on events that it has not sent */
#define NO_REPLAY      15 /* a successor begins behind what the front end has asked for */
#define RESTLESS       16 /* the back end never sleeps */

/* ---- shared memory --------------------------------------------------------------------------- */

/* Operations, in requests and answers. The back end does not know DISCARD. */
#define READ    1
#define WRITE   2
#define FLUSH   3
#define DISCARD 4

/* A response writes over its request: bytes 0-7 hold operation or id, 8-15 id or operation. */
typedef slot {
    byte word0; /* request: operation; response: RSP + id */
    byte word1; /* request: id; response: RSP + operation */
    bit status; /* response: 1 is BLKIF_RSP_EOPNOTSUPP */
    byte sector;
    byte page /* the granted one */
};

slot ring[SLOTS];
byte page[SLOTS];   /* the guest's */
bool mapped[SLOTS]; /* a page of the guest, by the back end and so for the device */

#include "ring.pml"
#include "blk_disk.pml"
#include "blk_front.pml"
#include "blk_back.pml"
