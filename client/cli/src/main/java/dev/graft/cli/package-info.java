/** The {@code graft} command. */
package dev.graft.cli;
