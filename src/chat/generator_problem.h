/*
 * What went wrong between us and a provider, when it said nothing itself; for
 * chat/generator.c.
 */
#ifndef CHAT_GENERATOR_PROBLEM_H
#define CHAT_GENERATOR_PROBLEM_H

#include "upstream/transfer.h"

void generator_problem(const struct transfer_result *r, struct problem *p);

#endif
