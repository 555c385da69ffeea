// Package browser holds the tests that use the web pages as people do: headless
// Chromium, the real binary in a process of its own, a real ledger. There is
// nothing in it to import.
//
// What a test has for nothing, because every user does it (user_test.go):
//
//   - It fails on an error in the browser's console, an exception that nobody
//     caught, something that the Content-Security-Policy blocked, a dialog, an
//     answer of 400 and above, a request that failed, and a request to another
//     host. What shall happen is said before, with expects.
//   - It fails when the server ends badly, or writes an error to its log.
//   - Each user has cookies and a cache of their own, so two can be signed in at
//     one time. What a test asks for is waited for; nothing sleeps.
//
// Chromium is $MILEPOST_CHROMIUM, else chromium, chromium-browser or google-chrome
// in the PATH; $MILEPOST_AXE names axe.min.js of axe-core, which judges how
// accessible a page is. They run with MILEPOST_BROWSER=1, and then miss neither; else
// they are skipped and say so.
//
// With $MILEPOST_SCREENSHOTS, a directory, tests leave pictures of the pages there,
// and of each page on which a test failed.
package browser
