/**
 * How weights are stored quantized: one file for each scheme, each able to find its weights in a
 * checkpoint and to decode them on the device, and those that are written also to encode them.
 * Knows no architecture.
 */
package dev.graft.server.quantizing;
