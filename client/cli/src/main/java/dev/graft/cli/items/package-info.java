/**
 * Reads files of items (JSON lines, CSV, plain text) and maps their labels to an objective's
 * targets.
 */
package dev.graft.cli.items;
