-- What was said of images: 1 starred, 0 unstarred of those that are starred by themselves.
CREATE TABLE image_stars (
    backend_id TEXT NOT NULL REFERENCES backends (id) ON DELETE CASCADE,
    image TEXT NOT NULL,
    starred BIGINT NOT NULL,
    PRIMARY KEY (backend_id, image)
);
