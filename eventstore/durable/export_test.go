package durable

// Claim and Rename are for tests on file systems that have links.
var Claim, Rename = claim, rename
