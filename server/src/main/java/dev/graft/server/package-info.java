/** The Graft worker. */
package dev.graft.server;
