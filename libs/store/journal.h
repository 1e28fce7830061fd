/*
 * What the store has done, in memory that its next life finds: items, in frames
 * that are there whole or not at all.
 *
 * The memory is a word and two halves. A half begins with a frame that holds the
 * whole state; frames of what was done since follow. A frame is there with the one
 * store of its first word, and a half with the one store of the memory's first
 * word, so a death between any two stores leaves the state of before or of after.
 *
 * Whoever reads it treats it as hostile: its writer may have been anybody.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/xen.h>

struct journal {
    uint8_t *area;    /* NULL: nothing is kept */
    size_t half;      /* bytes of each */
    uint32_t life;    /* its lowest bit is the half in use */
    size_t start;     /* in the half: the frame that is being written begins here */
    size_t at;        /* and ends here so far */
    size_t limit;     /* beyond it the whole state is due */
    uint64_t sum;     /* of the frame so far */
    bool writing;     /* the half not in use: it is about to hold the whole state */
    bool due;         /* what was added does not do, the whole state must be written */
    uint64_t doing;   /* the request that is being answered; 0: none */
    uint64_t suspect; /* the one that was when the last life ended; 0: none was, */
    unsigned ended;   /* and how many lives in a row it was */
    size_t read_at;   /* of the reader: the next item, and the end of its frame */
    size_t read_end;
};

/* One thing of the state, or one thing done. */
struct journal_item {
    uint32_t len;
    uint16_t kind;
    domid_t domid;
    const uint8_t *bytes;
};

struct journal_part {
    const void *bytes;
    size_t len;
};
#define JOURNAL_PARTS 8u

/* Over `len` bytes of such memory, or none (NULL): what is there can be read, then written anew. */
void journal_open(struct journal *j, void *area, size_t len);

/* The next item: 1; 0 at the end; -XEN_EIO: from here on it means nothing. */
int journal_read(struct journal *j, struct journal_item *item);

/* Adds to the frame; nothing of it counts before journal_commit. */
void journal_add(struct journal *j, uint16_t kind, domid_t domid, const struct journal_part *parts,
                 unsigned count);

/*
 * A domain's request, by its place in the ring, is being answered, or no more: how
 * many lives in a row ended while it was.
 */
unsigned journal_doing(struct journal *j, domid_t domid, uint32_t at);
void journal_done(struct journal *j);

/* What the last life was doing when it ended. False: nothing. */
bool journal_was_doing(const struct journal *j, domid_t *domid, uint32_t *at);

/* Once, before anything is done: whether that is not done yet, so that it may be why. */
void journal_suspect(struct journal *j, bool it);

/* What was added happened. False: the whole state has to be written now instead. */
bool journal_commit(struct journal *j);

/* What was done cannot be told by items: the next commit is one of the whole state. */
void journal_spoil(struct journal *j);

/* The whole state is what is added in between. False: it did not fit, and nothing is kept now. */
void journal_begin(struct journal *j);
bool journal_end(struct journal *j);

#endif
