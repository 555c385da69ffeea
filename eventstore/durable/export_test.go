package durable

// Claim is for tests on file systems that have links.
var Claim = claim
