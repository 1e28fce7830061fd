/* Domain configurations made of random bytes, for tests: always ones that can be written as XML. */
#ifndef RANDOM_CONFIG_H
#define RANDOM_CONFIG_H

#include "config.h"

/* The bytes that choices are made of; zeros follow when they are used up. */
struct random_config {
    const uint8_t *data;
    size_t len;
};

/* To be freed with config_domain_free. */
struct domain_config *random_config_make(struct random_config *random);

#endif
