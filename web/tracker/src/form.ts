// Entry of the lead form's own file, which the tag loads on pages that have such a form.
import { enhance } from './lead';

enhance((document.currentScript as any).ff);
