// Entry of the vitals' own file, which the tag loads once the page is idle.
import { measure } from './measure';

measure((document.currentScript as any).ff);
