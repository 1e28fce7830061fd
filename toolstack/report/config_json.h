/* A domain's configuration as JSON. */
#ifndef CONFIG_JSON_H
#define CONFIG_JSON_H

#include "config.h"
#include "json.h"

/* One object; with the lines of the XML file if asked for. */
void config_json_write(struct json *json, const char *key, const struct domain_config *domain,
                       bool with_lines);

const char *config_json_action(enum config_action action);

/* "b4a4..." with dashes; `text` has room for 37 bytes. */
void config_json_uuid(const uint8_t uuid[16], char *text);

/* "00:16:3e:..."; `text` has room for 18 bytes. */
void config_json_mac(const uint8_t mac[6], char *text);

#endif
