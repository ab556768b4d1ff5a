-- What else a grant was asked for and how the person proved who they are, as JSON.
ALTER TABLE grant_family ADD COLUMN doc {text};
