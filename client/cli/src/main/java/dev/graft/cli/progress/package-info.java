/** Tells people how far long work is. */
package dev.graft.cli.progress;
