/**
 * What a worker does, without transport: jobs take domain records and a listener, and would work
 * without gRPC.
 *
 * <p>A job is fed by one thread at a time; its listener is called on the lanes' threads or the
 * feeding one.
 */
package dev.graft.server.jobs;
