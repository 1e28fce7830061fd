/* The names of privileges in XML. */
#ifndef RIGHTS_H
#define RIGHTS_H

#include <stdint.h>

/* The name of one RIGHT_*; NULL if there is no such right. */
const char *rights_name(uint32_t right);

#endif
