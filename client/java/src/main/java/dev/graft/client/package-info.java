/** The Java client library of Graft. */
package dev.graft.client;
