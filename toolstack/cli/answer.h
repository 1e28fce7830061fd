/* What a back end says that it counted: text of another domain, checked word by word. */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdint.h>

#define ANSWER_VALUES_MAX 48u
#define ANSWER_NAME_MAX   40u
#define ANSWER_TEXT_MAX   2048u /* longer ones are none */

struct answer_value {
    char name[ANSWER_NAME_MAX]; /* of a-z 0-9 _ */
    uint64_t value;
};

struct answer {
    uint64_t number; /* of the question */
    unsigned count;
    struct answer_value values[ANSWER_VALUES_MAX];
};

/*
 * "NUMBER NAME=VALUE ...". 1: it answers the question answer->number, and the
 * values are there. 0: it answers an earlier one, or none. -EINVAL: the number is
 * right, what follows makes no sense.
 */
int answer_read(struct answer *answer, const char *text);

#endif
