/** Writes features and predictions to files that appear only when they are whole. */
package dev.graft.cli.output;
