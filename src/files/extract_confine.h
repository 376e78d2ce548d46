/*
 * What a process that reads a file of a stranger gives up first, so that
 * whoever takes it over can do nothing but compute and write to its output. In
 * the child (files/extract.h); before any other thread.
 */
#ifndef FILES_EXTRACT_CONFINE_H
#define FILES_EXTRACT_CONFINE_H

#include "base/base.h"

/* Bounds on memory (beyond what is in use now), processor time, descriptors;
 * none may be written to but pipes. */
void confine_limits(void);
/* The reader itself: reads and writes what is open, gets memory, ends. waits:
 * it has started another process, whose end it awaits. */
void confine_reader(bool waits);
/* A program that is about to be started, and reads the file on descriptor 0
 * (perhaps by opening it anew): it can open its libraries and that. */
void confine_program(const char *path);

#endif
