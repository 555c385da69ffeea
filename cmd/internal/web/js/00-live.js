// What makes the pages better than they are without it.
